package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PythonTextTest {
    @Test
    void stripsWhatPythonCallsSpace() {
        assertThat(PythonText.strip("\u00A0\t a b\u2003\u001C\n")).isEqualTo("a b");
        assertThat(PythonText.rstrip("a \u0085")).isEqualTo("a");
        assertThat(PythonText.lstrip(" \u2028a ")).isEqualTo("a ");
        assertThat(PythonText.strip("\u200Ba\u200B"))
                .as("a zero-width space is none")
                .isEqualTo("\u200Ba\u200B");
    }

    @Test
    void capitalizingLowersTheRest() {
        assertThat(PythonText.capitalize("he meets Ann in Rome")).isEqualTo("He meets ann in rome");
        assertThat(PythonText.capitalize("")).isEmpty();
        assertThat(PythonText.capitalize("ǆ")).as("title case").isEqualTo("ǅ");
    }
}
