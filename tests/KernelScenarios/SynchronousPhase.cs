namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents one synchronous transfer for all the data, however much.</summary>
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
