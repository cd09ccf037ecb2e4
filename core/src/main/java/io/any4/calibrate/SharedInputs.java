package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Linear;
import io.any4.model.WeightNames;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Which linear layers of a model read the same input; the first of them to run, the leader, stands for all.
final class SharedInputs {
    private static final Pattern EXPERT = Pattern.compile("\\.experts\\.\\d+\\.");

    /// By module.
    private final Map<String, String> leaders = new HashMap<>();
    /// By leader.
    private final Map<String, Integer> widths = new HashMap<>();
    private final List<List<String>> blocks = new ArrayList<>();

    SharedInputs(Decoder decoder) {
        for (int block = 0; block < decoder.config().layers(); block++) {
            List<String> ofBlock = new ArrayList<>();
            for (List<Linear> group : decoder.inputGroups(block)) {
                Linear leader = group.getFirst();
                ofBlock.add(leader.name());
                widths.put(leader.name(), leader.matrix().columns());
                group.forEach(linear -> leaders.put(linear.name(), leader.name()));
            }
            blocks.add(ofBlock);
        }
        widths.put(WeightNames.HEAD, decoder.config().hiddenSize());
        if (decoder.config().tiedEmbeddings()) {
            leaders.put(WeightNames.EMBEDDING, WeightNames.HEAD);
        }
    }

    /// The leader of a module, or the module itself if it stands alone.
    String leader(String module) {
        return leaders.getOrDefault(module, module);
    }

    /// Input features of a leader; null for all other modules.
    @Nullable
    Integer width(String leader) {
        return widths.get(leader);
    }

    /// The leaders of one block, cut into stages: what runs in one stage does not depend on weights of the same stage.
    /// The experts of a block, though each has its own input, go through each projection together.
    List<List<String>> stages(int block) {
        List<String> names = new ArrayList<>();
        List<List<String>> stages = new ArrayList<>();
        for (String leader : blocks.get(block)) {
            String name = anyExpert(leader);
            if (!names.contains(name)) {
                names.add(name);
                stages.add(new ArrayList<>());
            }
            stages.get(names.indexOf(name)).add(leader);
        }
        return stages;
    }

    /// Whether only the tokens routed to an expert reach a module.
    static boolean isExpert(String module) {
        return EXPERT.matcher(module).find();
    }

    /// The module's name with the number of its expert left open.
    static String anyExpert(String module) {
        return EXPERT.matcher(module).replaceFirst(".experts.*.");
    }
}
