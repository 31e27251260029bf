namespace Native.LibUsb.Generator;

/// <summary>Represents what is wrong with the input: one line for each error, written to be read by the person who has to fix it.</summary>
internal sealed class GeneratorException : Exception
{
    public GeneratorException(params IReadOnlyList<string> errors)
        : base(string.Join('\n', errors)) => Errors = errors;

    public IReadOnlyList<string> Errors { get; }
}
