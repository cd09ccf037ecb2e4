package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModulePatternTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "lm_head;              lm_head;                         true",
                "lm_head;              model.lm_head;                   false",
                "*.down_proj;          model.layers.3.mlp.down_proj;    true",
                "*.down_proj;          model.layers.3.mlp.down_proj2;   false",
                "model.layers.?.*;     model.layers.3.mlp.up_proj;      true",
                "model.layers.?.*;     model.layers.13.mlp.up_proj;     false",
                "model.layers;         modelxlayers;                    false",
                "a+b;                  a+b;                             true",
                "re:.*\\.(q|k)_proj;   model.layers.0.self_attn.k_proj; true",
                "re:(q|k)_proj;        model.layers.0.self_attn.k_proj; false"
            })
    void matchesWholeNames(String pattern, String module, boolean matches) {
        assertThat(ModulePattern.parse(pattern).matches(module)).isEqualTo(matches);
    }

    @Test
    void malformedPatternsAreExplained() {
        assertThatThrownBy(() -> ModulePattern.parse("re:*"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("re:* is no regular expression");
        assertThatThrownBy(() -> ModulePattern.parse(" ")).isInstanceOf(InvalidInputException.class);
    }
}
