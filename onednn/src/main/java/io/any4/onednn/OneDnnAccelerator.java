package io.any4.onednn;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Accelerator;
import io.any4.tinygemm.PanelGemm;

/// Offers oneDNN where it is installed and the processor has the bf16 instructions that make it worth it.
public final class OneDnnAccelerator implements Accelerator {
    /// For the service loader.
    public OneDnnAccelerator() {}

    @Override
    public String name() {
        return "onednn";
    }

    @Override
    public String probe() {
        try {
            return OneDnn.instance().describe();
        } catch (InvalidInputException e) {
            return "none: " + e.getMessage();
        } catch (IllegalCallerException e) {
            return "none: native access is denied: start java with --enable-native-access=io.any4.onednn,"
                    + " or ALL-UNNAMED where any4j is on the class path";
        }
    }

    @Override
    public PanelGemm open() {
        return new OneDnnGemm(OneDnn.instance());
    }
}
