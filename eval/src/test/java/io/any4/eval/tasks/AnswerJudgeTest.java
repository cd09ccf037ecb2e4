package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The answer filters of GSM8K.
class AnswerJudgeTest {
    private static final String REFERENCE = "1,000 x 2 = $<<1000*2=2000>>2,000.\n#### 2,000";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                // written | strict | flexible
                "`so it is\n#### 2000`|true|true",
                "`#### 2,000.`|true|true",
                "`#### 2000\nQ: 7`|true|false",
                "`they cost $2,000.`|false|true",
                "`first 7, then 2000`|false|true",
                "`#### -2000`|false|false",
                "`about two thousand`|false|false",
            })
    void judges(String written, boolean strict, boolean flexible) {
        Item item = new Problem("q", REFERENCE, List.of(), 8, Gsm8k.JUDGES);
        assertThat(item.score(List.of(new Response.Generated(written))))
                .containsEntry(Metric.STRICT_MATCH, strict ? 1.0 : 0.0)
                .containsEntry(Metric.FLEXIBLE_MATCH, flexible ? 1.0 : 0.0);
    }
}
