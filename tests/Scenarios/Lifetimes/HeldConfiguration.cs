using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Starts the configuration of a transfer, and ends it when the test disposes this object. In the library, a configuration takes only a moment and runs no code
/// of the program. A test could therefore not prolong a configuration in another way.
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
