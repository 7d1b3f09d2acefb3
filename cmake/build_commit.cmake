# Writes `output` when the commit of `root` is another one than it says.
execute_process(COMMAND git -C ${root} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT commit)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${output} CONTENT "#include \"build_commit.hpp\"

const std::string_view connectord::build_commit = \"${commit}\";
")
