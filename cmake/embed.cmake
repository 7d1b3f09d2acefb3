# Files that travel inside the binary. embed(NAMESPACE SYMBOL OUTPUT files…) makes one source that
# defines `const embedded_file files[]`-like tables; see base/embedded.hpp.
function(embed symbol output)
  set(listing ${CMAKE_BINARY_DIR}/generated/${symbol}.list)
  string(REPLACE ";" "\n" lines "${ARGN}")
  file(CONFIGURE OUTPUT ${listing} CONTENT "${lines}\n")
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -Dsymbol=${symbol} -Doutput=${output} -Dlisting=${listing}
      -Droot=${CMAKE_SOURCE_DIR} -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${ARGN} ${listing} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    COMMENT "Embedding ${symbol}" VERBATIM)
endfunction()

file(GLOB definitions CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/config/providers/*.yaml)
set(config_GENERATED ${CMAKE_BINARY_DIR}/generated/embedded_providers.cpp)
embed(providers ${config_GENERATED} ${definitions})

file(GLOB steps CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/storage/migrations/*.sql)
set(storage_GENERATED ${CMAKE_BINARY_DIR}/generated/embedded_migrations.cpp)
embed(migrations ${storage_GENERATED} ${steps})

file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/http/assets/*)
set(http_GENERATED ${CMAKE_BINARY_DIR}/generated/embedded_assets.cpp ${CMAKE_BINARY_DIR}/generated/embedded_templates.cpp)
embed(assets ${CMAKE_BINARY_DIR}/generated/embedded_assets.cpp ${pages})
file(GLOB templates CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/http/templates/*.html)
embed(templates ${CMAKE_BINARY_DIR}/generated/embedded_templates.cpp ${templates})
