namespace Native.LibUsb.Generator.Clang;

/// <summary>Represents a platform whose record layouts are compared with the generated C#.</summary>
/// <param name="Triple">The name of the target in clang.</param>
/// <param name="PointerSize">The size of a pointer in bytes.</param>
/// <param name="LongSize">The size in bytes of C's <c>long</c>, and of <c>CLong</c> and <c>CULong</c> in C#.</param>
/// <param name="Int64Alignment">The alignment of a 64-bit integer inside a record: 4 in the i386 System V ABI, otherwise 8.</param>
internal sealed record Target(string Triple, int PointerSize, int LongSize, int Int64Alignment = 8)
{
    /// <summary>Gets all targets. The declarations are read for the first target.</summary>
    public static IReadOnlyList<Target> All { get; } =
    [
        new("x86_64-linux-gnu", 8, 8),
        new("aarch64-linux-gnu", 8, 8),
        new("i386-linux-gnu", 4, 4, Int64Alignment: 4),
        new("arm-linux-gnueabihf", 4, 4),
        new("arm64-apple-macos13", 8, 8),
        new("x86_64-pc-windows-msvc", 8, 4),
        new("aarch64-pc-windows-msvc", 8, 4),
        new("i686-pc-windows-msvc", 4, 4),
    ];
}
