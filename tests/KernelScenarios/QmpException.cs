namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents the refusal of a command by the monitor.</summary>
public sealed class QmpException(string command, string errorClass, string description) : Exception($"{command}: {description} ({errorClass})")
{
    /// <summary>Gets QEMU's name for the kind of error.</summary>
    public string ErrorClass { get; } = errorClass;
}
