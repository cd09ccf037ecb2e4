/// The `any4j` command line.
module io.any4.cli {
    requires static org.jspecify;
    requires io.any4.eval;
    requires info.picocli;
    requires me.tongfei.progressbar;
    requires java.management;
    requires jdk.management;
    requires tools.jackson.databind;

    uses io.any4.tinygemm.Accelerator;
    uses io.any4.tinygemm.DeviceProvider;

    opens io.any4.cli to
            info.picocli;
}
