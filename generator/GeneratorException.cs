namespace Native.LibUsb.Generator;

/// <summary>Represents an exception that reports the errors in the generator's input. The message has one line for each error, with the location and the
/// remedy.</summary>
internal sealed class GeneratorException : Exception
{
    public GeneratorException(params IReadOnlyList<string> errors)
        : base(string.Join('\n', errors)) => Errors = errors;

    public IReadOnlyList<string> Errors { get; }
}
