using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Begins to configure a transfer, and ends the configuration when the test disposes this object. The library calls no code of the program while it configures
/// a transfer, so a test needs this class to prolong the configuration.
/// </summary>
internal sealed class HeldConfiguration : IDisposable
{
    private readonly UsbTransfer _transfer;

    public HeldConfiguration(UsbTransfer transfer)
    {
        _transfer = transfer;
        Assert.True(TryBeginSetting(transfer, ignored: 0));
    }

    public void Dispose() => EndSetting(_transfer);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern bool TryBeginSetting(UsbTransfer transfer, int ignored);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void EndSetting(UsbTransfer transfer);
}
