namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Represents a way to transfer the data of a command. The host sends the command wrapper before the data, and reads the status wrapper after the data.
/// </summary>
public interface IDataPhase
{
    /// <summary>Reads data from the device into the memory.</summary>
    /// <returns>The status wrapper, if this method has read it in addition to the data; otherwise null.</returns>
    byte[]? Read(BulkOnlyStorage storage, Memory<byte> data);

    /// <summary>Sends the memory to the device.</summary>
    void Write(BulkOnlyStorage storage, Memory<byte> data);
}
