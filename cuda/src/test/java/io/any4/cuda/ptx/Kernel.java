package io.any4.cuda.ptx;

import java.util.List;
import java.util.Map;

/// One kernel, decoded.
///
/// @param instructions in order; branches name labels
/// @param labels the instruction each label stands before
/// @param registers how many registers a warp has
/// @param constants the values of registers that never change, the same in all lanes
/// @param specials registers by the name of what they hold, such as `%tid.x`
/// @param sharedBytes static shared memory
/// @param startsEarly whether it may start before earlier kernels have ended, and must wait for them
/// @param parameterBytes size of the parameters
record Kernel(
        String name,
        List<Instruction> instructions,
        Map<String, Integer> labels,
        int registers,
        Map<Integer, Long> constants,
        Map<String, Integer> specials,
        int sharedBytes,
        boolean startsEarly,
        int parameterBytes) {}
