package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What lm-evaluation-harness made of the same model and documents; written by tools/lm_eval_parity.py.
record LmEvalRecording(JsonNode json) {
    /// Of a log-likelihood, in nats: the harness sums in 32 bits.
    private static final double TOLERANCE = 1e-3;

    static LmEvalRecording read(String resource) {
        try (InputStream in = Objects.requireNonNull(LmEvalRecording.class.getResourceAsStream(resource), resource)) {
            return new LmEvalRecording(JsonMapper.shared().readTree(in));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int runs() {
        return json.path("runs").size();
    }

    TaskOptions options(int run) {
        JsonNode node = run(run);
        return new TaskOptions(integer(node.path("shots")), integer(node.path("limit")));
    }

    private static @Nullable Integer integer(JsonNode node) {
        return node.isNull() ? null : Integer.valueOf(node.intValue());
    }

    /// The tasks that were evaluated, groups included, subjects left out.
    List<String> tasks(int run) {
        return run(run).path("results")
                .propertyStream()
                .map(Map.Entry::getKey)
                .filter(name -> !name.startsWith("mmlu_"))
                .toList();
    }

    /// Compares every request of every document, and every reported number.
    void assertMatches(int run, TaskRun ours) {
        Map<String, List<TaskSample>> samples =
                ours.samples().stream().collect(Collectors.groupingBy(TaskSample::task));
        run(run).path("samples").propertyStream().forEach(task -> {
            List<TaskSample> documents = samples.getOrDefault(task.getKey(), List.of());
            int asked = 0;
            for (JsonNode sample : task.getValue()) {
                int document = sample.path("document").intValue();
                assertSample(sample, documents.get(document));
                asked = Math.max(asked, document + 1);
            }
            assertThat(documents).as(task.getKey()).hasSize(asked);
        });
        run(run).path("results")
                .propertyStream()
                .forEach(task -> assertResults(task.getKey(), task.getValue(), ours.results()));
    }

    private static void assertSample(JsonNode expected, TaskSample sample) {
        String what = sample.task() + ", document " + sample.document();
        assertThat(sample.requests()).as(what).hasSize(expected.path("requests").size());
        for (int i = 0; i < sample.requests().size(); i++) {
            JsonNode request = expected.path("requests").get(i);
            String which = what + ", request " + i;
            assertRequest(request, sample.requests().get(i), which);
            assertResponse(request, sample.responses().get(i), which);
        }
        String filter = expected.path("filter").stringValue();
        expected.path("metrics").propertyStream().forEach(metric -> {
            Map<String, Double> scores = sample.scores().entrySet().stream()
                    .collect(Collectors.toMap(e -> e.getKey().label(), Map.Entry::getValue));
            assertThat(scores.get(label(metric.getKey(), filter)))
                    .as("%s, %s, %s", what, metric.getKey(), filter)
                    .isCloseTo(metric.getValue().doubleValue(), within(TOLERANCE));
        });
    }

    /// Recordings of other people's documents have no texts.
    private static void assertRequest(JsonNode expected, Request request, String which) {
        switch (request) {
            case Request.Likelihood likelihood -> {
                if (expected.has("context")) {
                    assertThat(likelihood.context())
                            .as(which)
                            .isEqualTo(expected.path("context").stringValue());
                    assertThat(likelihood.continuation())
                            .as(which)
                            .isEqualTo(expected.path("continuation").stringValue());
                }
            }
            case Request.Generation generation -> {
                assertThat(generation.context())
                        .as(which)
                        .isEqualTo(expected.path("context").stringValue());
                List<String> until = new ArrayList<>();
                expected.path("until").forEach(stop -> until.add(stop.stringValue()));
                assertThat(generation.stops()).as(which).isEqualTo(until);
            }
        }
    }

    private static void assertResponse(JsonNode expected, Response response, String which) {
        switch (response) {
            case Response.Scored scored -> {
                assertThat(scored.logLikelihood())
                        .as(which)
                        .isCloseTo(expected.path("loglikelihood").doubleValue(), within(TOLERANCE));
                assertThat(scored.greedy())
                        .as(which)
                        .isEqualTo(expected.path("greedy").booleanValue());
            }
            case Response.Generated generated ->
                assertThat(generated.text())
                        .as(which)
                        .isEqualTo(expected.path("text").stringValue());
        }
    }

    /// `acc,none` and `acc_stderr,none`, with a filter's name in place of `none`.
    private static void assertResults(String task, JsonNode expected, List<TaskResult> ours) {
        List<TaskResult> results =
                ours.stream().filter(result -> result.task().equals(task)).toList();
        int compared = 0;
        for (TaskResult result : results) {
            String[] parts = (result.metric() + ",none").split(",");
            JsonNode value = expected.path(parts[0] + "," + parts[1]);
            JsonNode error = expected.path(parts[0] + "_stderr," + parts[1]);
            double tolerance = 1e-3 * Math.max(1, Math.abs(value.doubleValue()));
            assertThat(result.value()).as("%s", result).isCloseTo(value.doubleValue(), within(tolerance));
            assertThat(result.standardError()).as("%s", result).isCloseTo(error.doubleValue(), within(tolerance));
            compared += 2;
        }
        assertThat(compared).as("numbers of %s", task).isEqualTo(expected.size());
    }

    private static String label(String metric, String filter) {
        return filter.equals("none") ? metric : metric + "," + filter;
    }

    private JsonNode run(int run) {
        return json.path("runs").get(run);
    }
}
