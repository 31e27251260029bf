namespace Native.LibUsb.Generator.Clang;

/// <summary>Represents a place in a C file, written as compilers write it: <c>file:line:column</c>.</summary>
internal readonly record struct SourceLocation(string File, int Line, int Column, int Offset)
{
    /// <summary>Represents the place of the declarations that are built into the compiler: no file and no line.</summary>
    public static SourceLocation None { get; } = new("", 0, 0, 0);

    public override string ToString() => Column > 0 ? $"{File}:{Line}:{Column}" : $"{File}:{Line}";
}
