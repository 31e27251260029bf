namespace Native.LibUsb.Tests.Kernel;

/// <summary>Specifies the result of a command of bulk-only storage.</summary>
/// <param name="Code">0 passed, 1 failed, 2 phase error.</param>
/// <param name="Residue">The announced bytes that the device did not process.</param>
public readonly record struct CommandStatus(byte Code, int Residue)
{
    public static readonly CommandStatus Passed = new(0, 0);
}
