package io.any4.eval.tasks;

import java.util.List;
import java.util.Map;

/// A document of a task in the form the model meets it: what is asked, and how answers are judged.
sealed interface Item permits MultipleChoice, FillIn, Completion, Problem {
    /// Between a prompt and its answer.
    String ANSWER_DELIMITER = " ";

    /// Behind every worked example.
    String EXAMPLE_DELIMITER = "\n\n";

    /// Question and right answer, as an example that precedes another question.
    String example();

    /// What to ask the model.
    ///
    /// @param prefix task description and examples; every context starts with it
    List<Request> requests(String prefix);

    /// The score of this document under each metric of its task.
    ///
    /// @param responses one per request, in order
    Map<Metric, Double> score(List<Response> responses);

    /// The log-likelihoods among `responses`, all of which answer likelihood requests.
    static double[] logLikelihoods(List<Response> responses) {
        return responses.stream().mapToDouble(r -> scored(r).logLikelihood()).toArray();
    }

    static Response.Scored scored(Response response) {
        return switch (response) {
            case Response.Scored scored -> scored;
            case Response.Generated _ -> throw new IllegalArgumentException("a text answers no likelihood request");
        };
    }

    /// Where the largest value is; the first of equals.
    static int argmax(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[best]) {
                best = i;
            }
        }
        return best;
    }
}
