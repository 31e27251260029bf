using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>The functions of libumockdev that make a virtual /sys, /dev and udev.</summary>
internal static unsafe partial class Umockdev
{
    public const string Library = "libumockdev.so.0";

    [LibraryImport(Library, EntryPoint = "umockdev_testbed_new")]
    public static partial nint NewTestbed();

    [LibraryImport(Library, EntryPoint = "umockdev_testbed_get_root_dir")]
    public static partial nint RootDirectory(nint testbed);

    [LibraryImport(Library, EntryPoint = "umockdev_testbed_add_from_string", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Add(nint testbed, string description, GError** error);

    [LibraryImport(Library, EntryPoint = "umockdev_testbed_uevent", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Event(nint testbed, string path, string action);

    [LibraryImport(Library, EntryPoint = "umockdev_testbed_remove_device", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Remove(nint testbed, string path);

    [LibraryImport(Library, EntryPoint = "umockdev_testbed_set_attribute", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void SetAttribute(nint testbed, string path, string name, string value);

    [LibraryImport("libgobject-2.0.so.0", EntryPoint = "g_object_unref")]
    public static partial void Unreference(nint @object);

    [LibraryImport("libglib-2.0.so.0", EntryPoint = "g_error_free")]
    public static partial void Free(GError* error);

    [StructLayout(LayoutKind.Sequential)]
    public struct GError
    {
        public uint Domain;
        public int Code;
        public byte* Message;
    }
}
