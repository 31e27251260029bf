using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

internal static unsafe partial class OptionalExports
{
    private static readonly nint[] s_addresses = new nint[s_names.Length];

    internal static void* Get(int index)
    {
        if (s_addresses[index] == 0)
        {
            var library = NativeLibrary.Load(libusb.LibraryName, typeof(libusb).Assembly, null);
            if (!NativeLibrary.TryGetExport(library, s_names[index], out s_addresses[index]))
                throw new NotSupportedException($"This libusb has no {s_names[index]}; libusb {s_versions[index]} brought it.");
        }

        return (void*)s_addresses[index];
    }
}
