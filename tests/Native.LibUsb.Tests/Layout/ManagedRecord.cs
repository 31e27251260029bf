using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests.Layout;

/// <summary>Represents the layout of a record in the runtime. The test measures the layout.</summary>
internal sealed class ManagedRecord
{
    private ManagedRecord(Type type, string name)
    {
        Type = type;
        Name = name;
        Size = SizeOf(type);
        Fields = [.. ReadFields(type, prefix: "", offset: 0)];
    }

    internal Type Type { get; }

    internal string Name { get; }

    internal int Size { get; }

    internal IReadOnlyList<Field> Fields { get; }

    internal static ManagedRecord Of(Type type) => new(type, type.Name);

    internal static int SizeOf(Type type) =>
        type.IsPointer || type.IsFunctionPointer
            ? nint.Size
            : (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private static IEnumerable<Field> ReadFields(Type type, string prefix, int offset)
    {
        foreach (FieldInfo field in type.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance))
        {
            Assert.True(field.IsPublic, $"{type.Name}.{field.Name} is a field that C does not have.");
            int start = offset + MeasureOffset(type, field);
            InlineArrayAttribute? array = field.FieldType.GetCustomAttribute<InlineArrayAttribute>();
            if (array is not null)
            {
                Type element = field.FieldType.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance).Single().FieldType;
                yield return new Field(prefix + field.Name, start, element, FieldKind.Array, array.Length);
            }
            else if (field.FieldType.IsNested)
            {
                yield return new Field(prefix + field.Name, start, field.FieldType, FieldKind.Union, 1);
                foreach (Field member in ReadFields(field.FieldType, $"{prefix}{field.Name}.", start))
                    yield return member;
            }
            else
            {
                yield return new Field(prefix + field.Name, start, field.FieldType, FieldKind.Single, 1);
            }
        }

        // In C, an array at the end of a structure may have no length. The size of the structure does not include such an array. In C#, a property returns the
        // address of the array.
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.PropertyType.IsPointer))
            yield return new Field(property.Name, MeasureOffset(type, property), property.PropertyType.GetElementType()!, FieldKind.FlexibleArray, 0);
    }

    // Marshal.OffsetOf returns the offset in the marshaller's layout, which may differ from the layout in the memory of the program. To find the true offset,
    // this method writes to the field and looks for the bytes that have changed.
    private static int MeasureOffset(Type type, FieldInfo field)
    {
        object boxed = RuntimeHelpers.GetUninitializedObject(type);
        byte[] image = new byte[SizeOf(type)];
        int size = SizeOf(field.FieldType);
        field.SetValue(boxed, NonZero(field.FieldType));
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<RawData>(boxed).First, image.Length).CopyTo(image);
        int first = image.AsSpan().IndexOfAnyExcept((byte)0);
        int last = image.AsSpan().LastIndexOfAnyExcept((byte)0);
        Assert.Equal(size, last - first + 1);
        return first;
    }

    // The property returns an address inside the object, so the object must not move.
    private static unsafe int MeasureOffset(Type type, PropertyInfo property)
    {
        object boxed = RuntimeHelpers.GetUninitializedObject(type);
        var pin = GCHandle.Alloc(boxed, GCHandleType.Pinned);
        try
        {
            return checked((int)((nint)Pointer.Unbox(property.GetValue(boxed)!) - pin.AddrOfPinnedObject()));
        }
        finally
        {
            pin.Free();
        }
    }

    private static unsafe object NonZero(Type type)
    {
        nint ones = unchecked((nint)0x0101010101010101);
        if (type.IsPointer)
            return Pointer.Box((void*)ones, type);
        if (type.IsFunctionPointer)
            return ones;
        object value = RuntimeHelpers.GetUninitializedObject(type);
        MemoryMarshal.CreateSpan(ref Unsafe.As<RawData>(value).First, SizeOf(type)).Fill(1);
        return value;
    }

    /// <summary>Represents the bytes of an object, beginning with its first field.</summary>
    private sealed class RawData
    {
        internal byte First;
    }

    internal enum FieldKind
    {
        Single,
        Array,
        Union,
        FlexibleArray,
    }

    /// <summary>Represents a field or the elements of an array. The name of a union's member begins with the name of the union and a dot.</summary>
    internal sealed record Field(string Name, int Offset, Type Type, FieldKind Kind, int Count)
    {
        internal int Size => Count * SizeOf(Type);
    }
}
