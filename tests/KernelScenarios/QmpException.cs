namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents a command that the monitor refused.</summary>
public sealed class QmpException(string command, string errorClass, string description) : Exception($"{command}: {description} ({errorClass})")
{
    /// <summary>Gets the kind of error, as QEMU names it.</summary>
    public string ErrorClass { get; } = errorClass;
}
