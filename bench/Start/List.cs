using System.Text;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;
using Native.LibUsb;

// When a program first writes with Console, Console starts a thread that handles signals. This program writes to the file descriptors of Unix instead, and
// therefore starts and ends faster. This program formats each line in a buffer and writes all lines together, as the program in C does. FileStream does not move
// the offset of a descriptor, so the output should be a pipe, a terminal or /dev/null.
using FileStream output = Open(descriptor: 1);
try
{
    using var context = new UsbContext();
    using UsbDeviceList devices = context.GetDevices();
    Span<byte> line = stackalloc byte[64];
    foreach (UsbDevice device in devices)
    {
        Utf8.TryWrite(line, $"Bus {device.BusNumber:D3} Device {device.Address:D3}: ID {device.VendorId:x4}:{device.ProductId:x4}\n", out int length);
        output.Write(line[..length]);
    }
    return 0;
}
catch (UsbException exception)
{
    using FileStream error = Open(descriptor: 2);
    error.Write(Encoding.UTF8.GetBytes($"list: {exception.Message}\n"));
    return 1;
}

static FileStream Open(int descriptor) => new(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write);
