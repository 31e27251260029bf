using System.Reflection;

namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Represents the facts of the project file that BenchmarkDotNet needs.</summary>
internal static class BuildFacts
{
    public static string TargetFramework => Get(nameof(TargetFramework));

    public static string ArtifactsPath => Get(nameof(ArtifactsPath));

    private static string Get(string name) =>
        typeof(BuildFacts).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == name).Value!;
}
