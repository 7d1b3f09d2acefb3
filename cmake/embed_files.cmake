# Writes ${output}: one byte array a file of ${listing} and the table base/embedded.hpp declares.
file(STRINGS ${listing} files)
set(arrays "")
set(table "")
set(n 0)
foreach(file IN LISTS files)
  if(file STREQUAL "")
    continue()
  endif()
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(APPEND arrays "const unsigned char f${n}[] = {${bytes}0};\n")
  string(APPEND table "    {\"${name}\", {reinterpret_cast<const char*>(f${n}), sizeof f${n} - 1}},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${output} "#include \"base/embedded.hpp\"\n\nnamespace connectord::embedded {\nnamespace {\n\n${arrays}
}  // namespace\n\nconst std::vector<file>& ${symbol}() {\n  static const std::vector<file> all{\n${table}  };\n  return all;\n}\n
}  // namespace connectord::embedded\n")
