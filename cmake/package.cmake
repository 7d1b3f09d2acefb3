# cpack -G DEB makes a Debian package of a release build.
install(TARGETS connectord RUNTIME DESTINATION /usr/bin)
install(FILES deploy/systemd/connectord.service DESTINATION /lib/systemd/system)
install(FILES deploy/systemd/connectord.env DESTINATION /etc/connectord)
install(FILES README.md docs/configuration.md docs/errors.md docs/tracker.md docs/operations.md docs/integration/connectors-service.md
  DESTINATION /usr/share/doc/connectord)
install(DIRECTORY docs/runbooks deploy/prometheus deploy/grafana DESTINATION /usr/share/doc/connectord)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The connectord developers <connectord@localhost>")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "connectors and issue tracker for many tenants\n One process that connects tenants' SaaS tools: OAuth, signed webhooks,\n syncs, normalised signals, tracker bindings with drift.")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/deploy/debian/postinst ${CMAKE_SOURCE_DIR}/deploy/debian/prerm
  ${CMAKE_SOURCE_DIR}/deploy/debian/postrm ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles)
include(CPack)
