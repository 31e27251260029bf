namespace Drivers.Storage;

/// <summary>Reports that a disk did not execute a command, or that its answer breaks the protocol.</summary>
public sealed class DiskException : IOException
{
    /// <summary>Creates an exception without a message.</summary>
    public DiskException()
    {
    }

    /// <summary>Creates an exception.</summary>
    /// <param name="message">What the disk did.</param>
    public DiskException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an exception with its cause.</summary>
    /// <param name="message">What the disk did.</param>
    /// <param name="innerException">The cause.</param>
    public DiskException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Gets why the disk did not execute a command; null when it broke the protocol.</summary>
    public DiskSense? Sense { get; init; }
}
