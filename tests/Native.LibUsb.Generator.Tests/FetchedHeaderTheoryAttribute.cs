namespace Native.LibUsb.Generator.Tests;

/// <summary>
/// A test that needs the headers of other Debian suites. Tests fetch nothing: <c>eng/generate.sh check --all-headers</c> does, and
/// leaves the headers where this finds them.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FetchedHeaderTheoryAttribute : TheoryAttribute
{
    public FetchedHeaderTheoryAttribute()
    {
        if (!Directory.Exists(Folder("forky"))) Skip = "no fetched headers: run eng/generate.sh check --all-headers first";
    }

    public static string Folder(string suite) => Path.Combine(TestRepository.Instance.Root, "artifacts", "libusb", suite, "root", "usr", "include");
}
