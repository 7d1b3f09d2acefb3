"""The Debian package: what is in it, and that what is in it runs."""

import glob
import os
import subprocess
import sys
import tempfile
import unittest

BUILD = os.path.dirname(os.path.dirname(os.path.abspath(os.environ["CONNECTORD_BIN"])))


def run(*command, **options):
    ran = subprocess.run(command, capture_output=True, text=True, **options)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        run("cpack", "-G", "DEB", "-B", folder.name, cwd=BUILD)
        cls.deb, = glob.glob(os.path.join(folder.name, "*.deb"))
        cls.root = os.path.join(folder.name, "root")
        run("dpkg-deb", "-x", cls.deb, cls.root)
        cls.control = os.path.join(folder.name, "control")
        run("dpkg-deb", "-e", cls.deb, cls.control)

    def path(self, name):
        return os.path.join(self.root, name)

    def test_it_holds_the_binary_the_unit_its_settings_and_the_documents(self):
        for name in ("usr/bin/connectord", "lib/systemd/system/connectord.service", "etc/connectord/connectord.env",
                     "usr/share/doc/connectord/runbooks/StoreErrors.md", "usr/share/doc/connectord/prometheus/alerts.yml"):
            self.assertTrue(os.path.isfile(self.path(name)), name)

    def test_the_packaged_binary_runs(self):
        version = run(self.path("usr/bin/connectord"), "version")
        self.assertIn(run("dpkg-deb", "-f", self.deb, "Version").strip(), version)

    def test_it_depends_on_the_libraries_that_the_binary_loads(self):
        depends = run("dpkg-deb", "-f", self.deb, "Depends")
        for library in ("libcaf-core0.17", "libsqlite3-0", "libpqxx-6.4", "libctemplate3", "libssl3"):
            self.assertIn(library, depends)

    def test_its_scripts_are_shell_and_its_settings_survive_an_upgrade(self):
        for script in ("postinst", "prerm", "postrm"):
            run("sh", "-n", os.path.join(self.control, script))
        with open(os.path.join(self.control, "conffiles"), encoding="utf-8") as f:
            self.assertEqual(f.read().split(), ["/etc/connectord/connectord.env"])

    def test_the_shipped_settings_say_what_is_missing(self):
        with open(self.path("etc/connectord/connectord.env"), encoding="utf-8") as f:
            pairs = [line.strip().split("=", 1) for line in f if line.startswith("POBLYSH_")]
        ran = subprocess.run([self.path("usr/bin/connectord"), "check-config"], env=dict(pairs), capture_output=True, text=True)
        self.assertEqual(ran.returncode, 78, ran)
        for key in ("POBLYSH_OPERATOR_TOKENS", "POBLYSH_CRYPTO_KEY"):
            self.assertIn(key, ran.stdout + ran.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
