namespace Native.LibUsb.Tests.Kernel;

/// <summary>Moves all data with one synchronous transfer of any length.</summary>
public sealed class SynchronousPhase : IDataPhase
{
    public static readonly SynchronousPhase Instance = new();

    public byte[]? Read(BulkOnlyStorage storage, Memory<byte> data)
    {
        Assert.Equal(data.Length, storage.Input.Read(data.Span, Machine.Patience));
        return null;
    }

    public void Write(BulkOnlyStorage storage, Memory<byte> data) =>
        Assert.Equal(data.Length, storage.Output.Write(data.Span, Machine.Patience));
}
