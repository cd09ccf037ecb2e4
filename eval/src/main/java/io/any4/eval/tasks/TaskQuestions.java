package io.any4.eval.tasks;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// All that one task asks a model.
///
/// @param items the documents, in order
/// @param requests for each document its requests
/// @param shots worked examples in each prompt
record TaskQuestions(Task task, List<Item> items, List<List<Request>> requests, int shots) {
    static TaskQuestions of(Task task, DataFiles data, TaskOptions options) {
        Integer asked = options.shots();
        int shots = asked == null ? task.shots() : asked;
        List<Document> documents = limited(data.documents(task.source()), options.limit());
        if (documents.isEmpty()) {
            return new TaskQuestions(task, List.of(), List.of(), shots);
        }
        Examples examples = new Examples(task, shots == 0 ? List.of() : data.examples(task.source()), shots);
        List<Item> items = new ArrayList<>();
        List<List<Request>> requests = new ArrayList<>();
        for (Document document : documents) {
            Item item = task.item().apply(document);
            items.add(item);
            requests.add(item.requests(examples.prefix(document)));
        }
        return new TaskQuestions(task, items, requests, shots);
    }

    private static List<Document> limited(List<Document> documents, @Nullable Integer limit) {
        return limit == null ? documents : documents.subList(0, Math.min(limit, documents.size()));
    }

    /// Number of requests.
    int size() {
        return requests.stream().mapToInt(List::size).sum();
    }

    /// The requests of all documents, one after the other.
    List<Request> all() {
        return requests.stream().flatMap(List::stream).toList();
    }

    /// Judges the answers.
    ///
    /// @param responses to [#all], in the same order
    List<TaskSample> judge(List<Response> responses) {
        List<TaskSample> samples = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < items.size(); i++) {
            List<Request> asked = requests.get(i);
            List<Response> answered = responses.subList(from, from + asked.size());
            samples.add(
                    new TaskSample(task.name(), i, asked, answered, items.get(i).score(answered)));
            from += asked.size();
        }
        return samples;
    }
}
