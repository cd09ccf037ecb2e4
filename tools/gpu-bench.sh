#!/usr/bin/env bash
# Checks and measures the CUDA device on a real NVIDIA GPU.
#
#   tools/gpu-bench.sh                 here; needs the driver and a JDK 25
#   tools/gpu-bench.sh bundle FILE.tgz packs everything, a Java runtime included, for a machine that has only the driver:
#                                      tar xzf FILE.tgz && any4-gpu-bench/run
#
# Results go to standard output: the correctness of every kernel, rates, products, PyTorch beside them if it is there,
# and the decoding speed of whole models.
set -eu
cd "$(dirname "$0")/.."
. tools/jdk25.sh

bundle=cuda/target/any4-gpu-bench
mvn -q --batch-mode --no-transfer-progress -Dquick -DskipTests package
rm -rf "$bundle"
mkdir -p "$bundle/lib"
cp cli/target/lib/any4-core-* cli/target/lib/any4-cuda-* cli/target/lib/jackson-* "$bundle/lib"
cp -r cuda/target/test-classes models/demo bench/gpu/run bench/gpu/rates.cu bench/gpu/torch_baseline.py "$bundle"

if [ "${1:-}" = bundle ]; then
    "$JAVA_HOME/bin/jlink" --add-modules java.base,java.desktop,java.logging,java.management,java.naming,java.net.http,java.xml,jdk.incubator.vector,jdk.unsupported \
        --strip-debug --no-header-files --no-man-pages --output "$bundle/java"
    tar czf "$2" -C cuda/target any4-gpu-bench
    echo "wrote $2"
else
    JAVA=$JAVA_HOME/bin/java "$bundle/run" "$@"
fi
