namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents a way to move the data of a command, between its command wrapper and its status wrapper.</summary>
public interface IDataPhase
{
    /// <summary>Fills the memory from the device.</summary>
    /// <returns>The status wrapper, when it was read along with the data; otherwise null.</returns>
    byte[]? Read(BulkOnlyStorage storage, Memory<byte> data);

    /// <summary>Sends the memory to the device.</summary>
    void Write(BulkOnlyStorage storage, Memory<byte> data);
}
