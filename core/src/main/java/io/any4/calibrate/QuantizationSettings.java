package io.any4.calibrate;

import io.any4.checkpoint.CheckpointLayout;
import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.ModulePattern;
import io.any4.quant.QuantizationSpec;
import java.util.List;

/// What to quantize, and how.
///
/// Linear layers of the blocks are quantized, those of experts included. Norms, biases and the routers of experts are
/// not; embeddings and the output head only on demand. Whatever is not quantized keeps its type.
///
/// @param spec for every module that no override matches
/// @param skip modules to leave as they are
/// @param overrides other specifications for some modules, applied in order
/// @param includeHead whether to quantize `lm_head`
/// @param includeEmbeddings whether to quantize the embeddings, which are the head too if a model ties the two
/// @param maxShardBytes size at which output files are cut
public record QuantizationSettings(
        QuantizationSpec spec,
        List<ModulePattern> skip,
        List<SpecOverride> overrides,
        boolean includeHead,
        boolean includeEmbeddings,
        long maxShardBytes) {
    public QuantizationSettings {
        skip = List.copyOf(skip);
        overrides = List.copyOf(overrides);
        if (maxShardBytes <= 0) {
            throw new InvalidInputException("the shard size must be positive, not " + maxShardBytes);
        }
        for (SpecOverride override : overrides) {
            override.apply(spec); // complains about unknown settings before any work is done
        }
    }

    /// The same specification for every layer of the blocks, nothing else quantized.
    public static QuantizationSettings of(QuantizationSpec spec) {
        return new QuantizationSettings(spec, List.of(), List.of(), false, false, CheckpointLayout.DEFAULT_SHARD_BYTES);
    }

    /// These settings with module patterns to skip, written as for [ModulePattern#parse].
    public QuantizationSettings withSkip(List<String> patterns) {
        List<ModulePattern> parsed = patterns.stream().map(ModulePattern::parse).toList();
        return new QuantizationSettings(spec, parsed, overrides, includeHead, includeEmbeddings, maxShardBytes);
    }

    /// These settings with overrides, written as for [SpecOverride#parse].
    public QuantizationSettings withOverrides(List<String> texts) {
        List<SpecOverride> parsed = texts.stream().map(SpecOverride::parse).toList();
        return new QuantizationSettings(spec, skip, parsed, includeHead, includeEmbeddings, maxShardBytes);
    }

    /// These settings with the output head quantized or not.
    public QuantizationSettings withHead(boolean include) {
        return new QuantizationSettings(spec, skip, overrides, include, includeEmbeddings, maxShardBytes);
    }

    /// These settings with the embeddings quantized or not.
    public QuantizationSettings withEmbeddings(boolean include) {
        return new QuantizationSettings(spec, skip, overrides, includeHead, include, maxShardBytes);
    }

    /// These settings with another shard size.
    public QuantizationSettings withMaxShardBytes(long bytes) {
        return new QuantizationSettings(spec, skip, overrides, includeHead, includeEmbeddings, bytes);
    }

    boolean skips(String module) {
        return skip.stream().anyMatch(pattern -> pattern.matches(module));
    }

    QuantizationSpec specOf(String module) {
        QuantizationSpec result = spec;
        for (SpecOverride override : overrides) {
            if (override.pattern().matches(module)) {
                result = override.apply(result);
            }
        }
        return result;
    }

    /// Everything that influences the output, on one line.
    String describe() {
        return "%s skip=%s overrides=%s head=%s embeddings=%s shard=%d"
                .formatted(
                        spec.describe(),
                        skip.stream().map(ModulePattern::text).toList(),
                        overrides.stream()
                                .map(override -> override.pattern().text() + "=" + override.settings())
                                .toList(),
                        includeHead,
                        includeEmbeddings,
                        maxShardBytes);
    }
}
