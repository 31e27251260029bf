namespace Native.LibUsb.Tests;

/// <summary>
/// Provides the paths of this repository's files for tests that read them. The build output is inside the repository, so the class looks for the repository's
/// root in the folders above the build output.
/// </summary>
internal static class Repository
{
    internal static string Root { get; } = FindRoot();

    internal static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Native.LibUsb.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"The tests must run inside the repository; no Native.LibUsb.sln above {AppContext.BaseDirectory}.");
    }
}
