namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents the result of a command of bulk-only storage.</summary>
/// <param name="Code">The status: 0 if the command passed, 1 if it failed, 2 after a phase error.</param>
/// <param name="Residue">The number of bytes that the host announced but that the device did not process.</param>
public readonly record struct CommandStatus(byte Code, int Residue)
{
    public static readonly CommandStatus Passed = new(0, 0);
}
