package io.any4.tinygemm;

/// A kind of device that may be present on this machine; found through [java.util.ServiceLoader].
public interface DeviceProvider {
    /// What a user types to choose it, such as `cuda`; `cuda:1` chooses the device with index 1.
    String name();

    /// One line for a person: the devices found, or why there are none and what would change that. Never
    /// throws.
    String probe();

    /// Opens the device with an index, counted from 0.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if there is no such device, in one sentence
    Device open(int index);
}
