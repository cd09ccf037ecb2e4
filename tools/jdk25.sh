# Sourced by the scripts of this project: sets JAVA_HOME to a JDK of version 25 or later, or explains what to install.

java_major() {
    "$1/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1
}

find_jdk() {
    local home
    for home in "${JAVA_HOME:-}" "$(readlink -f "$(command -v javac 2>/dev/null)" 2>/dev/null | sed 's|/bin/javac$||')" \
        /usr/lib/jvm/* /opt/java/* /opt/jdk* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home; do
        if [ -x "$home/bin/javac" ] && [ "$(java_major "$home")" -ge 25 ] 2>/dev/null; then
            JAVA_HOME=$home
            export JAVA_HOME
            return 0
        fi
    done
    echo "any4j needs a JDK 25 or later: install one (for example Temurin 25 from adoptium.net) or set JAVA_HOME to it." >&2
    return 1
}

find_jdk || exit 2
