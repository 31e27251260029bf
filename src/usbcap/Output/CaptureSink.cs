namespace Usbcap.Output;

/// <summary>
/// Represents the output of a capture. A file has the name NAME.part until the capture is complete, so that an incomplete capture does not look
/// like a complete capture. Standard output and files in /dev have no such temporary name.
/// </summary>
internal abstract class CaptureSink : IDisposable
{
    /// <summary>Gets the name of the output for messages.</summary>
    public abstract string Name { get; }

    /// <summary>Gets the current path of the data. Null if there is no file.</summary>
    public abstract string? Path { get; }

    /// <summary>Gets the number of bytes in the output.</summary>
    public abstract long Length { get; }

    /// <summary>Throws if the output cannot be written. The capture calls this method before it opens the device.</summary>
    /// <exception cref="FailureException">
    /// The output is a directory, or <paramref name="force"/> is false and one of the files NAME and NAME.part already exists. NAME.part may exist because an
    /// earlier capture failed.
    /// </exception>
    public static void Check(string output, bool force)
    {
        if (output == StandardOutputSink.Dash || IsSpecial(output))
            return;
        if (Directory.Exists(output))
            throw new FailureException(ExitCode.Output, $"{output} is a directory");
        if (force)
            return;
        foreach (string path in (ReadOnlySpan<string>)[output, FileSink.PartOf(output)])
        {
            if (File.Exists(path))
                throw new FailureException(ExitCode.Output, $"{path} already exists: use another name, or use --force to replace the file");
        }
    }

    /// <summary>Opens the output.</summary>
    /// <exception cref="FailureException">The output cannot be opened.</exception>
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

    /// <summary>Writes all of the data. The method is not thread-safe.</summary>
    /// <exception cref="IOException">The data could not be written completely.</exception>
    public abstract void Write(ReadOnlySpan<byte> data);

    /// <summary>Closes the output of a complete capture and gives the file its final name.</summary>
    /// <exception cref="IOException">The file cannot be renamed.</exception>
    public abstract void Complete();

    /// <summary>
    /// Closes the output. If <see cref="Complete"/> has not been called, a file with data keeps the name NAME.part, and an empty file is deleted.
    /// </summary>
    public abstract void Dispose();

    // Devices and pipes cannot be renamed at the end. Examples are /dev/null, and /dev/fd/3 for a shell's >(command).
    private static bool IsSpecial(string path) => path.StartsWith("/dev/", StringComparison.Ordinal) && File.Exists(path);
}
