package io.any4.tensor;

import java.util.List;
import java.util.stream.Collectors;

/// The extent of a tensor along each dimension, outermost first; an empty list is a scalar.
public record Shape(List<Long> dims) {
    public Shape {
        dims = List.copyOf(dims);
        for (long dim : dims) {
            if (dim < 0) {
                throw new IllegalArgumentException("a dimension cannot be negative: " + dims);
            }
        }
    }

    public static Shape of(long... dims) {
        return new Shape(java.util.Arrays.stream(dims).boxed().toList());
    }

    /// Number of elements.
    ///
    /// @throws ArithmeticException if the product does not fit 63 bits
    public long elements() {
        long product = 1;
        for (long dim : dims) {
            product = Math.multiplyExact(product, dim);
        }
        return product;
    }

    public int rank() {
        return dims.size();
    }

    public long dim(int index) {
        return dims.get(index);
    }

    @Override
    public String toString() {
        return dims.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
    }
}
