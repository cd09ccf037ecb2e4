package io.any4.tinygemm;

/// The oracle: every sum in double, rounded once at its end.
final class ScalarKernels implements Kernels {
    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public CpuMatrix prepare(Weight weight, Team team) {
        return new ScalarMatrix(weight);
    }

    @Override
    public void add(float[] x, float[] y, int from, int to) {
        for (int i = from; i < to; i++) {
            x[i] += y[i];
        }
    }

    @Override
    public void rmsNorm(float[] x, float[] gain, float epsilon, int width, float[] out, int from, int to) {
        for (int row = from; row < to; row++) {
            int offset = row * width;
            double squares = 0;
            for (int i = 0; i < width; i++) {
                squares += (double) x[offset + i] * x[offset + i];
            }
            double factor = 1 / Math.sqrt(squares / width + epsilon);
            for (int i = 0; i < width; i++) {
                out[offset + i] = (float) (x[offset + i] * factor * gain[i]);
            }
        }
    }

    @Override
    public void swiglu(float[] gate, float[] up, float[] out, int from, int to) {
        for (int i = from; i < to; i++) {
            out[i] = (float) (gate[i] / (1 + Math.exp(-gate[i])) * up[i]);
        }
    }

    @Override
    public void rotate(float[] x, int offset, float[] cos, float[] sin, int angle, int half) {
        for (int i = 0; i < half; i++) {
            float a = x[offset + i];
            float b = x[offset + half + i];
            x[offset + i] = (float) ((double) a * cos[angle + i] - (double) b * sin[angle + i]);
            x[offset + half + i] = (float) ((double) b * cos[angle + i] + (double) a * sin[angle + i]);
        }
    }

    @Override
    public float max(float[] x, int from, int to) {
        float max = x[from];
        for (int i = from + 1; i < to; i++) {
            max = Math.max(max, x[i]);
        }
        return max;
    }

    @Override
    public void exponentials(float[] x, int from, float largest, float factor, float[] out, int count) {
        for (int i = 0; i < count; i++) {
            out[i] = (float) Math.exp(((double) x[from + i] - largest) * factor);
        }
    }

    @Override
    public void attention(Attention attention, Team team) {
        team.run(attention.units(), 1, (from, to) -> units(attention, from, to));
    }

    private static void units(Attention attention, int from, int to) {
        int share = attention.share();
        double[] scores = new double[attention.firstPosition() + attention.tokens()];
        for (int unit = from; unit < to; unit++) {
            int token = unit / attention.shape().kvHeads();
            int kvHead = unit % attention.shape().kvHeads();
            for (int i = 0; i < share; i++) {
                head(attention, token, kvHead, kvHead * share + i, scores);
            }
        }
    }

    private static void head(Attention a, int token, int kvHead, int head, double[] scores) {
        AttentionShape shape = a.shape();
        int dim = shape.headDim();
        int last = a.firstPosition() + token;
        int first = shape.firstVisible(last);
        int query = a.query(token, head);
        double greatest = Double.NEGATIVE_INFINITY;
        for (int position = first; position <= last; position++) {
            int key = position * shape.kvWidth() + kvHead * dim;
            double dot = 0;
            for (int i = 0; i < dim; i++) {
                dot += (double) a.q()[query + i] * a.keys().get(key + i);
            }
            scores[position] = dot / Math.sqrt(dim);
            greatest = Math.max(greatest, scores[position]);
        }
        double sum = 0;
        for (int position = first; position <= last; position++) {
            scores[position] = Math.exp(scores[position] - greatest);
            sum += scores[position];
        }
        for (int i = 0; i < dim; i++) {
            double mixed = 0;
            for (int position = first; position <= last; position++) {
                mixed += scores[position] * a.values().get(position * shape.kvWidth() + kvHead * dim + i);
            }
            a.out()[query + i] = (float) (mixed / sum);
        }
    }
}
