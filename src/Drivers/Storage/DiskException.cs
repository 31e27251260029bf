namespace Drivers.Storage;

/// <summary>Represents the error of a disk that did not execute a command or violated the protocol.</summary>
public sealed class DiskException : IOException
{
    /// <summary>Initializes a new instance of the <see cref="DiskException"/> class.</summary>
    public DiskException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="DiskException"/> class with a message.</summary>
    /// <param name="message">The description of the error.</param>
    public DiskException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="DiskException"/> class with a message and a cause.</summary>
    /// <param name="message">The description of the error.</param>
    /// <param name="innerException">The cause of the error.</param>
    public DiskException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Gets the reason why the disk did not execute a command. Null if the disk violated the protocol.</summary>
    public DiskSense? Sense { get; init; }
}
