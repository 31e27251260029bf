namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Provides the names of the benchmark categories.</summary>
internal static class Categories
{
    /// <summary>The category of benchmarks that must not allocate. The run fails if one of them does.</summary>
    public const string NoAllocation = "0 B";

    /// <summary>The category of benchmarks that belong to the short form.</summary>
    public const string Short = "short";
}
