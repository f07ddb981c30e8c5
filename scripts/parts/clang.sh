# A compiler and a linker of C++ for WebAssembly: Debian's, unpacked privately and run through their own loader, so that
# nothing of this machine is needed or changed.
# shellcheck shell=bash

part_clang() {
  local key="${CLANG_PACKAGES[*]} of Debian $CLANG_SUITE" package loader name
  installed "$key" && link_clang && runs clang_version clang-wasm && return 0

  local instead="do without the tests of filters in other languages"
  open_stage
  download_debian "$CLANG_SUITE" "$CLANG_SIZE" "$instead" "${CLANG_PACKAGES[@]}"
  say "unpacking"
  for package in "${CLANG_PACKAGES[@]}"; do unpack_debian "$package"; done
  rm -rf "$STAGE/debs" "$STAGE/apt" "$STAGE/root/usr/share"
  loader=$(cd "$STAGE/root" && find usr/lib -name 'ld-linux-*.so.*' | head -n 1)
  [[ -n $loader ]] || cannot_have "Debian's clang" "its libc6 has no loader" "$instead"
  for name in clang lld; do
    cat >"$STAGE/$name" <<-SH
	#!/bin/sh
	root=\$(dirname "\$(readlink -f "\$0")")/root
	llvm=\$root/usr/lib/llvm-19
	exec "\$root/$loader" --library-path "\$root/$(dirname "$loader"):\$llvm/lib" "\$llvm/bin/$name" "\$@"
	SH
    chmod 755 "$STAGE/$name"
  done
  close_stage "$key"
  link_clang
  runs clang_version clang-wasm ||
    cannot_have "Debian's clang" "it was unpacked but does not run" "$instead"
}

link_clang() {
  link_program clang-wasm "$TOOLS/opt/clang/clang"
  link_program lld-wasm "$TOOLS/opt/clang/lld"
}

clang_version() {
  "$1" --version 2>/dev/null | grep -F 'clang version 19.'
}
