namespace Native.LibUsb.Generator;

/// <summary>Represents the errors of the input: one line for each, which names the place and the remedy.</summary>
internal sealed class GeneratorException : Exception
{
    public GeneratorException(params IReadOnlyList<string> errors)
        : base(string.Join('\n', errors)) => Errors = errors;

    public IReadOnlyList<string> Errors { get; }
}
