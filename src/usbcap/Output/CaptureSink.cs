namespace Usbcap.Output;

/// <summary>
/// Represents where the data goes. A file is called NAME.part until it is complete, so that a broken capture is never mistaken for a whole one. Standard
/// output and what lies under /dev are written directly.
/// </summary>
internal abstract class CaptureSink : IDisposable
{
    /// <summary>Gets the user's name for it.</summary>
    public abstract string Name { get; }

    /// <summary>Gets where the data is now; null when nothing is left to find.</summary>
    public abstract string? Path { get; }

    /// <summary>Gets the number of bytes in the output.</summary>
    public abstract long Length { get; }

    /// <summary>Refuses an output that could not be written, before the device is touched.</summary>
    /// <exception cref="FailureException">It exists, or so does what a failed capture left.</exception>
    public static void Check(string output, bool force)
    {
        if (output == StandardOutputSink.Dash || IsSpecial(output))
            return;
        if (Directory.Exists(output))
            throw new FailureException(ExitCode.Output, $"{output} is a folder");
        if (force)
            return;
        foreach (string path in (ReadOnlySpan<string>)[output, FileSink.PartOf(output)])
        {
            if (File.Exists(path))
                throw new FailureException(ExitCode.Output, $"{path} exists already: use another name, or --force to replace it");
        }
    }

    /// <summary>Opens it.</summary>
    /// <exception cref="FailureException">It cannot be opened.</exception>
    public static CaptureSink Open(string output, bool force)
    {
        Check(output, force);
        try
        {
            return output == StandardOutputSink.Dash ? new StandardOutputSink() : IsSpecial(output) ? new SpecialFileSink(output) : new FileSink(output, force);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new FailureException(ExitCode.Output, $"cannot write {output}: {e.Message}", e);
        }
    }

    /// <summary>Writes all of it. Not for several threads at once.</summary>
    /// <exception cref="IOException">It could not be written, or not all of it.</exception>
    public abstract void Write(ReadOnlySpan<byte> data);

    /// <summary>Closes the output of a complete capture under its name.</summary>
    /// <exception cref="IOException">It cannot be given its name.</exception>
    public abstract void Complete();

    /// <summary>Closes it. Without <see cref="Complete"/> before, what was written stays, as it is.</summary>
    public abstract void Dispose();

    // Devices and pipes have no name to be given at the end: /dev/null, /dev/fd/3 of a shell's >(command).
    private static bool IsSpecial(string path) => path.StartsWith("/dev/", StringComparison.Ordinal) && File.Exists(path);
}
