namespace Native.LibUsb.Generator.Clang;

/// <summary>
/// Represents a location in a C file. <see cref="ToString"/> returns the location in the form that compilers use: <c>file:line:column</c>.
/// </summary>
internal readonly record struct SourceLocation(string File, int Line, int Column, int Offset)
{
    /// <summary>Represents the location of declarations that are built into the compiler. This location has no file and no line.</summary>
    public static SourceLocation None { get; } = new("", 0, 0, 0);

    public override string ToString() => Column > 0 ? $"{File}:{Line}:{Column}" : $"{File}:{Line}";
}
