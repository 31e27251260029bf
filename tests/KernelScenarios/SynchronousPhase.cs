namespace Native.LibUsb.Tests.Kernel;

/// <summary>One synchronous transfer for all the data, however much.</summary>
public sealed class SynchronousPhase : IDataPhase
{
    public static readonly SynchronousPhase Instance = new();

    public byte[]? Read(BulkOnlyStorage storage, Memory<byte> data)
    {
        Assert.Equal(data.Length, storage.Handle.At(storage.In).Read(data.Span, Machine.Patience));
        return null;
    }

    public void Write(BulkOnlyStorage storage, Memory<byte> data) =>
        Assert.Equal(data.Length, storage.Handle.At(storage.Out).Write(data.Span, Machine.Patience));
}
