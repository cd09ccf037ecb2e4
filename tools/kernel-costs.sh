#!/usr/bin/env bash
# Counts what the matrix kernels execute per weight, with the PTX interpreter: the table of docs/gpu.md. Needs no GPU.
set -eu
cd "$(dirname "$0")/.."
. tools/jdk25.sh
mvn -q --batch-mode --no-transfer-progress -Dquick -DskipTests package
"$JAVA_HOME/bin/java" --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
    -cp "cuda/target/test-classes:$(echo cli/target/lib/*.jar | tr ' ' ':')" io.any4.cuda.KernelCosts 2>/dev/null
