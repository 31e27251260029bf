namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Names the categories of benchmarks.</summary>
internal static class Categories
{
    /// <summary>Must not allocate: the run fails when one does.</summary>
    public const string NoAllocation = "0 B";

    /// <summary>Part of the short form.</summary>
    public const string Short = "short";
}
