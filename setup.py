"""Builds the compiled part of the Python package by CMake, for pip. pyproject.toml has everything else."""
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class CMakeBuild(build_ext):
    """Builds the target afterspike_python in build/pip and takes its module."""

    def build_extension(self, extension):
        root = Path(__file__).parent.resolve()
        build = root / "build" / "pip"
        subprocess.run(["cmake", "-S", root, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                        "-DCMAKE_UNITY_BUILD=ON", "-DAFTERSPIKE_TESTS=OFF", "-DAFTERSPIKE_PYTHON=ON",
                        f"-DAFTERSPIKE_PYTHON_EXECUTABLE={sys.executable}"], check=True)
        subprocess.run(["cmake", "--build", build, "--target", "afterspike_python", "-j", "2"], check=True)
        target = Path(self.get_ext_fullpath(extension.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        module, = (build / "python" / "afterspike").glob("_core*.so")
        shutil.copy(module, target)


setup(ext_modules=[Extension("afterspike._core", sources=[])], cmdclass={"build_ext": CMakeBuild})
