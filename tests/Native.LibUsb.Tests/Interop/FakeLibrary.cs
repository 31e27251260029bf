namespace Native.LibUsb.Tests.Interop;

/// <summary>Represents a shared library that reports a version of libusb. A test supplies its functions.</summary>
internal sealed class FakeLibrary : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    internal FakeLibrary(Version version, string functions = "", string name = "libusb-fake.so")
    {
        Path = _folder.File(name);
        Build(version, functions, Path);
    }

    internal string Path { get; }

    internal string Folder => _folder.Path;

    internal static void Build(Version version, string functions, string path) =>
        CCompiler.Run(
            $$"""
            #include <stddef.h>
            #include <stdint.h>
            struct version { uint16_t major, minor, micro, nano; const char *rc, *describe; };
            const struct version *libusb_get_version(void)
            {
                static const struct version version = { {{version.Major}}, {{version.Minor}}, {{version.Build}}, 0, "", "" };
                return &version;
            }
            {{functions}}

            """,
            "-Wall", "-Werror", "-shared", "-fPIC", "-o", path);

    public void Dispose() => _folder.Dispose();
}
